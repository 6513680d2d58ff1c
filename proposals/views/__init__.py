"""Pages of calls and proposals, for the public and for innovators. Staff and reviewers work in the admin."""
