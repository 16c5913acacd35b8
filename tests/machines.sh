#!/usr/bin/env bash
# The numeric half of the tests with the arithmetic of other processors, by switches of the libraries themselves.
# Two kinds at a time, one thread each. Arguments go to pytest: tests/machines.sh -k fbank
set -euo pipefail
cd "$(dirname "$0")/.."

TESTS=(tests/unit/audio tests/unit/data tests/unit/metrics tests/unit/models tests/unit/decode tests/unit/test_losses.py
  tests/parity)
# A kind: the kernels of OpenBLAS (numpy, scipy), torch, MKL and oneDNN (in torch), what numpy has to do without, and
# the flag of /proc/cpuinfo without which they would end at the first instruction.
KINDS=(
  "Haswell avx2 AVX2 AVX2 X86_V4,AVX512_ICL,AVX512_SPR avx2"
  "Prescott default SSE4_2 SSE41 X86_V3,X86_V4,AVX512_ICL,AVX512_SPR sse4_1"
  "Zen avx2 AVX2 AVX2 X86_V4,AVX512_ICL,AVX512_SPR avx2"
  "SkylakeX avx512 AVX512 AVX512_CORE AVX512_SPR avx512bw"
)

[ "$(uname -sm)" = "Linux x86_64" ] || { echo "error: processors are exchanged on Linux on x86-64 only" >&2; exit 2; }

said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE PYTHONUNBUFFERED=1

# One kind; its output goes to a file, so that two at a time can be read.
run() {
  local openblas torch mkl onednn without
  read -r openblas torch mkl onednn without _ <<<"$1"
  shift
  OPENBLAS_CORETYPE=$openblas ATEN_CPU_CAPABILITY=$torch MKL_ENABLE_INSTRUCTIONS=$mkl ONEDNN_MAX_CPU_ISA=$onednn \
    NPY_DISABLE_CPU_FEATURES=$without python -m pytest -m "not slow" -p no:cacheprovider "${TESTS[@]}" "$@" \
    >"$said/$openblas" 2>&1
}

failed=0
kinds=()
for kind in "${KINDS[@]}"; do
  if grep -qw "${kind##* }" /proc/cpuinfo; then
    kinds+=("$kind")
  else
    echo "${kind%% *}: left out, this processor has no ${kind##* }"
  fi
done
for ((first = 0; first < ${#kinds[@]}; first += 2)); do
  waiting=()
  for kind in "${kinds[@]:first:2}"; do
    run "$kind" "$@" &
    waiting+=("$!")
  done
  for number in "${!waiting[@]}"; do
    name=${kinds[first + number]%% *}
    if wait "${waiting[number]}"; then
      echo "$name: $(tail -n 1 "$said/$name") (at $SECONDS s)"
    else
      failed=1
      cat "$said/$name"
      echo "$name: failed (at $SECONDS s)"
    fi
  done
done
exit "$failed"
