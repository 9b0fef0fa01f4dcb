"""Feeds that say nothing, or too little: judged by what their own week lets expect.

feed.py         what a feed is, and how far it has been looked at
profile.py      arrivals expected in each hour of the week, learnt and slowly forgotten
gap.py          complete silence: how surprising it is that nothing has come
again.py        when arrivals show that a complete silence is over
partial.py      partial silence: an hourly CUSUM of counts
thresholds.py   how much surprise the false-alarm budget asks for
judge.py        these together: what is expected of a feed, and when its silence is due
scope.py        what a silence is the silence of: the rules of common causes
company.py      the rules applied to the other feeds of a site
episode.py      one silence from its opening to its end
telling.py      the words and numbers of a silence
maintenance.py  hours that are not counted
register.py     the feeds of a shard
due.py          when each is next to be looked at
stage.py        the stage
"""

from streams.silence.stage import Silence

__all__ = ["Silence"]
