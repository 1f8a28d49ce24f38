# What the build needs: Rust, a C and C++ compiler, cmake, nasm and perl. Made once, with a network:
#
#   docker build --file config/packaging/image/Dockerfile.builder --tag rasterd-builder config/packaging/image
FROM docker.io/library/rust:1.95-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends cmake nasm perl && rm -rf /var/lib/apt/lists/*
