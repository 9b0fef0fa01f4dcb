"""What Prometheus and Grafana are told of radvigil: built by code, written to examples/.

`python -m streams.operations` writes the files; tests hold them to it, and promtool reads them.
"""
