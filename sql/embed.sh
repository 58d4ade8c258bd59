#!/bin/sh
# Makes the C source that holds the SQL files (store/migrate.h declares it):
# embed.sh NNNN-name.sql... views.sql > schema_sql.c
set -eu

# A line becomes a C string; \? since C11 knows trigraphs.
literal() {
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' \
	    -e 's/	/\\t/g' -e 's/^/	    "/' -e 's/$/\\n"/' "$1"
}

echo '/* Made by sql/embed.sh from the files in sql/. */'
echo '#include "store/migrate.h"'
echo
echo '#pragma GCC diagnostic ignored "-Woverlength-strings"'
echo
echo 'const struct sql_file sql_files[] = {'
last=0
views=
for file; do
	name=$(basename "$file" .sql)
	case $name in
	[0-9][0-9][0-9][0-9]-*)
		number=$((1${name%%-*} - 10000))
		if [ "$number" -ne $((last + 1)) ]; then
			echo "embed.sh: $file: after $last comes" \
			    "$((last + 1))" >&2
			exit 1
		fi
		last=$number
		sum=$(sha256sum <"$file" | cut -d ' ' -f 1)
		printf '\t{ %s, "%s", "%s",\n' "$number" "${name#*-}" "$sum"
		literal "$file"
		echo '	},'
		;;
	views)
		views=$file
		;;
	*)
		echo "embed.sh: $file: neither NNNN-name.sql nor views.sql" >&2
		exit 1
		;;
	esac
done
echo '};'
echo 'const size_t sql_nfiles = sizeof(sql_files) / sizeof(sql_files[0]);'
echo
echo 'const char sql_views[] ='
literal "${views:?embed.sh: views.sql is missing}"
echo '	    "";'
