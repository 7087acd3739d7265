package main

import "cutaway/stages"

func (c *cli) seen(s stages.Stage) error { return nil }
