"""One battery for everything public: it walks the names, so that none can be left out.

Each public callable (of ``tinyconv``, ``Tensor``, ``nn.functional``, ``nn``, ``optim``, ``lr_scheduler``) has an entry
in ``table/``: a few calls, as descriptions of arrays and options. From each call the checks make many: other dtypes,
layouts, shapes, values, keywords, threads, kernels. What comes out must be what PyTorch gives, dtype, error and
gradient included; without PyTorch, what the reference kernels and the entry's formula give.

    python -m tests.battery                  the table of name × check, with counts
    python -m tests.battery --full conv2d    every variation, of the names that match
    pytest -m slow tests/battery             every variation of every name, as a test
"""
