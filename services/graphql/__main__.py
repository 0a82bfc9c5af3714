"""`python -m services.graphql` writes the schema as clients see it: for the checked-in `schema.graphql`."""

import sys

from services.graphql.schema import create_schema

sys.stdout.write(create_schema().as_str() + "\n")
