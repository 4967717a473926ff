"""Clinical data files of the demo hospital, for a clinician to review; each row or file names its source."""
