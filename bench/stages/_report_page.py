def page(values, *a):
    yield from ()
