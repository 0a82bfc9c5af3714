"""Charts as SVG, from figures alone: no clock, no I/O, nothing but the standard library.

A chart is as wide as what holds it: positions along it are shares of its width, heights and letters are pixels, so
that its text can be read on a phone too. Colour is never the only difference: shapes, sides and hatching say the same,
and what rests on thin evidence is hollow. The page's style sheet colours the classes (`charts.css` beside the frame's
own); the attributes hold for files, print and black and white.
"""
