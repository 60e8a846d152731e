"""`docker://host/name[:tag][@digest]`: a registry, with no daemon.

- `name`, `credentials`, `tls`, `proxies`: what the user and the machine say of it
- `http`: one exchange; `authentication`: who we are; `client`: redirects, retries, threads
- `failures`: what is said when it refuses
- `pull`, with `blobs`: images out of it; `push`, with `upload`: images into it

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
"""
