"""The read side: the GraphQL gateway over the projections."""
