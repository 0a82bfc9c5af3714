"""The vault: a data key for each person, under which the personal fields (†) of acts are encrypted."""
