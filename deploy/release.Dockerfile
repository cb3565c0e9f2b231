# The image of a release, from the binaries that goreleaser has built. To build one from the
# source, use Dockerfile, which ends in the same way.
#
# Docker uses the digest; the tag only documents the Go version. Change both
# together.
FROM --platform=$BUILDPLATFORM golang:1.26.8@sha256:3c3e25a4da13fd0478eed2df1eb35a0e667094a7124d3993a6a1d30f71c17e79 AS build
RUN mkdir /data /ca

# The static binary needs only the root certificates, to verify TLS connections
# to PostgreSQL, Redis and a pricing system.
FROM scratch
ARG TARGETPLATFORM
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY $TARGETPLATFORM/cohort /cohort
COPY --from=build --chown=65532:65532 /data /data
# For the CA of tests, if a volume shares it with clients; see compose.tls.yaml.
COPY --from=build --chown=65532:65532 /ca /ca
USER 65532:65532
ENV COHORT_ADDR=:8080 COHORT_DB=sqlite:/data/cohort.db COHORT_CA_DIR=/ca
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=5s CMD ["/cohort", "healthcheck"]
ENTRYPOINT ["/cohort"]
CMD ["serve"]
