"""What an event says of which series: each study once, each patient once in a while."""
