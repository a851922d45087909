#!/bin/sh
# Exports a database of PowerAuth Push Server on Oracle or SQL Server into a folder that `npm run migrate-from` reads. The SQL was
# parsed, and never executed there by us: compare the counts that it says with those of the tables.
#
#   export.sh oracle    <version> <folder> <zone> user/password@//host:1521/service
#   export.sh sqlserver <version> <folder> <zone> -S host -d database -U user -P password
#
# version: 1.7, 1.9 (also for 1.8) or 1.10 (also for 2.x). zone: that of the old server, UTC in the image of 2.x; Oracle calls
# zones Europe/Prague, SQL Server Central European Standard Time. The folder holds private keys in clear: remove it afterwards.
set -eu
umask 077
[ $# -ge 5 ] || { sed -n 's/^# \{0,1\}//p' "$0" >&2; exit 2; }
database=$1 version=$2 folder=$3 zone=$4
shift 4
here=$(cd "$(dirname "$0")" && pwd)
case $version in
  1.7) set=1.7-1.9 type=type read=read ;;
  1.8 | 1.9) version=1.9 set=1.7-1.9 type=message_type read=is_read ;;
  1.10 | 2.*) version=1.10 set=1.10 type= read= ;;
  *) echo "There is no export of version $version" >&2; exit 2 ;;
esac
mkdir -p "$folder"
# It comes back when everything is exported: without it the folder is not taken.
rm -f "$folder/source.json"
failed() {
  echo "$name: the export failed" >&2
  # Nothing else of the file: it may hold keys.
  grep -sE '^(ORA|SP2|PLS)-[0-9]+' "$folder/$name.ndjson" >&2 || true
  exit 1
}
export NLS_LANG=.AL32UTF8
statement=$(mktemp "${TMPDIR:-/tmp}/export.XXXXXX.sql")
trap 'rm -f "$statement"' EXIT
for name in applications devices inbox campaigns campaign-users; do
  sed "s|{zone}|$zone|g; s|{type}|$type|g; s|{read}|$read|g" "$here/$database/$set/$name.sql" > "$statement"
  case $database in
    oracle)
      echo EXIT >> "$statement"
      sqlplus -S -L "$1" "@$statement" > "$folder/$name.ndjson" || failed
      ;;
    sqlserver)
      # UTF-16, since bcp of Linux has no choice of a code page.
      bcp "$(grep -v '^--' "$statement")" queryout "$folder/$name.utf16" -w "$@" || failed
      iconv -f UTF-16LE -t UTF-8 "$folder/$name.utf16" > "$folder/$name.ndjson"
      rm -f "$folder/$name.utf16"
      ;;
    *) echo "There is no export of $database" >&2; exit 2 ;;
  esac
  echo "$name: $(grep -c . "$folder/$name.ndjson" || true) lines"
done
echo "{\"version\":\"$version\"}" > "$folder/source.json"
