#!/usr/bin/env bash
# Installs ministack (an S3, STS and IAM in Python that nobody here wrote) into a virtual environment and starts it on
# loopback, with signatures and policies checked. Prints the variables that the server stage of the tests reads.
#   eval "$(tests/start-ministack.sh [PORT] [DIR])"; cargo test --release --workspace; kill "$HANSEL_TEST_S3_PID"
set -euo pipefail
port="${1:-4599}"
dir="${2:-target/ministack}"
key=test-root-key secret=test-root-secret
mkdir -p "$dir"
if [ ! -x "$dir/venv/bin/ministack" ]; then
    python3 -m venv "$dir/venv" >&2
    "$dir/venv/bin/pip" install --quiet --disable-pip-version-check ministack==1.5.33 >&2
fi
if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "port $port is taken; name another" >&2
    exit 1
fi
# Its default is every interface; tests stay on loopback.
BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" SERVICES=s3,sts,iam AUTH=true \
    AWS_ACCESS_KEY_ID="$key" AWS_SECRET_ACCESS_KEY="$secret" \
    setsid "$dir/venv/bin/ministack" >"$dir/log" 2>&1 </dev/null &
pid=$!
for _ in $(seq 300); do
    # An open port is not readiness: a signed write has to be answered.
    status=$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 --aws-sigv4 aws:amz:us-east-1:s3 \
        --user "$key:$secret" -X PUT "http://127.0.0.1:$port/readiness" || true)
    case "$status" in
    200 | 409)
        echo "export HANSEL_TEST_S3=http://127.0.0.1:$port HANSEL_TEST_S3_KEY=$key HANSEL_TEST_S3_SECRET=$secret HANSEL_TEST_S3_PID=$pid"
        exit 0
        ;;
    esac
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
done
echo "ministack did not start; its log:" >&2
tail -20 "$dir/log" >&2
exit 1
