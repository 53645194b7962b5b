# Sourced by the pulumi-resource-* programs: runs the bundle of provider $1, making it first when it is missing or older
# than its sources. The paths are those of build.ts.
name=$1
shift
root=$(cd "$(dirname "$(readlink -f "$0")")/../../.." && pwd -P)
bundle=${SANDBOX_CACHE:-$root/dist}/providers/$name.cjs

is_stale() {
  [ ! -f "$bundle" ] || [ -n "$(cd "$root" && find sandbox/providers sandbox/lib sandbox/cloud/api.ts package-lock.json \
    \( -name '*.ts' -o -name '*.json' \) -newer "$bundle" -print -quit)" ]
}

if is_stale; then
  # The engine reads the port from standard output: nothing else may write there.
  (cd "$root" && node --import tsx sandbox/providers/build.ts "$name") >&2 || exit 1
fi
exec node "$bundle" "$@"
