"""What the leader models (domain.md §5): a leader's conduct beside the team's, as pure functions, a file a question.

Signals come as times, since most questions only count those that lie in stretches of time; the read model does the
joining and cutting: by period, *as of*, stays.
"""
