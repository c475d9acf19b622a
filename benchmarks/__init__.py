"""How fast the service is, against the plain services that people write instead of it.

`python -m benchmarks` (or `make bench`) starts everything itself, prints tables, and writes them
to `build/bench/`. What counts are ratios between runs that alternate on one machine; times say
more of the machine than of the service.
"""
