"""Statistics on scores: arrays in, arrays out.

They build on scipy and baycomp; the tests compare the Nemenyi test with scikit-posthocs. autorank is not used, because
it chooses a procedure by tests of normality, which ten datasets cannot decide; here the procedure is fixed beforehand.
"""
