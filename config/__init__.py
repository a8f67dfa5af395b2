"""Settings, taxonomies, departments and words as data; knows nothing else of ours."""
