"""What knows no business: settings, time, errors, logging, the database, problem+json."""
