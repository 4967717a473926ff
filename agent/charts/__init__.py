"""Charts: a result of the records as a Vega-Lite specification, drawn offline."""
