"""Every number: retrieval, probes, pitch, cepstra, errors, speakers, quality, intervals, comparisons."""
