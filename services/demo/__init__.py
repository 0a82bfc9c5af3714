"""A made-up but lifelike year of a company's acts, so that Exemplar can be tried before anything is connected to it."""
