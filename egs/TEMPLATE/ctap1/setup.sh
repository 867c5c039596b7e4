#!/usr/bin/env bash
# Usage: setup.sh NAME
# Makes a new recipe, egs/NAME/ctap1, from the template.
set -euo pipefail

here=$(CDPATH='' cd -- "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
egs=$(CDPATH='' cd -- "${here}/../.." && pwd)

if (($# != 1)) || [[ $1 == -* ]]; then
    sed -n '2,/^set /{/^set /!p}' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2
    exit 2
fi
name=$1
if [[ ! ${name} =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*$ ]]; then
    echo "setup.sh: error: '${name}' can't be a recipe's name: use letters, digits, _ . -" >&2
    exit 1
fi
recipe=${egs}/${name}/ctap1
if [[ -e ${recipe} || -L ${recipe} ]]; then
    echo "setup.sh: error: ${recipe} exists already; choose another name or remove it" >&2
    exit 1
fi

# All or nothing: made beside its place, then renamed.
mkdir -p "${egs}/${name}"
new=$(mktemp -d "${egs}/${name}/.ctap1.XXXXXX")
trap 'rm -rf "${new}"' EXIT
chmod 755 "${new}"
cp "${here}/path.sh" "${here}/cmd.sh" "${new}/"
cp -r "${here}/skeleton/." "${new}/"
cp -rL "${here}/conf" "${new}/conf"
ln -s ../../TEMPLATE/ctap1/ctap.sh "${new}/ctap.sh"
chmod 755 "${new}/run.sh" "${new}/local/data.sh"
mv -T "${new}" "${recipe}"
trap - EXIT

cat <<END
made ${recipe}
next:
  1. write ${recipe}/local/data.sh: from your corpus to data directories
  2. set its options in ${recipe}/run.sh
  3. cd ${recipe} && ./run.sh --stage 0 --stop_stage 0
END
