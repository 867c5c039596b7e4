"""Every picture and page: curves, mels, the results page, Table 1."""
