"""Statistics on scores: arrays in, arrays out.

scipy and baycomp compute; scikit-posthocs is what the tests hold Nemenyi's test against. autorank is not used: it picks
one procedure by tests of normality, which ten datasets cannot decide, where a protocol fixed beforehand is wanted.
"""
