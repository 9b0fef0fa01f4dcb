"""A realistic hospital through the whole pipeline: what is false, and what of faults is found.

It is not the simulator that `radvigil simulate` has and that the tests are made on: sites with
several scanners, days, nights and weekends with other scanners and another case mix, patients who
come again, days and shifts that differ, values that follow each other, slow reports.
"""
