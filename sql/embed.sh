#!/bin/sh
# Makes the C source that holds the SQL files: embed.sh FILE... > schema_sql.c
set -eu

literal() {
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/	    "/' -e 's/$/\\n"/' "$1"
}

echo '/* Made by sql/embed.sh from the files in sql/. */'
echo '#include "store/migrate.h"'
echo
echo 'const struct sql_file sql_files[] = {'
views=
for file; do
	name=$(basename "$file" .sql)
	case $name in
	[0-9]*)
		number=$(expr "${name%%-*}" + 0)
		sum=$(sha256sum "$file" | cut -d ' ' -f 1)
		printf '\t{ %s, "%s", "%s",\n' "$number" "${name#*-}" "$sum"
		literal "$file"
		echo '	},'
		;;
	*) views="$views $file" ;;
	esac
done
echo '};'
echo 'const size_t sql_nfiles = sizeof(sql_files) / sizeof(sql_files[0]);'
echo
echo 'const char sql_views[] ='
for file in $views; do
	literal "$file"
done
echo '	    "";'
