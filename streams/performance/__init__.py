"""Performance from reports: what models said, held against what radiologists reported.

A study is read once, at its maturity: a fixed time after the study, however late its report came
and in whatever order things arrived (docs/decisions/0010). `unread` is what waits for that,
`readout` the stage.
"""
