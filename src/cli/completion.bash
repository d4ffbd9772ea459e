# Completion of `orrery` in bash: it asks the program for its commands and options, so it cannot differ from them.
_orrery() {
    local program=$1 word=$2
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" --help 2>/dev/null | awk '/^  [a-z]/ {print $1}')" -- "$word")
    elif [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" "${COMP_WORDS[1]}" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)" -- "$word")
    elif [ "$3" = --policy ] || [ "$3" = -p ]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" policies 2>/dev/null | awk '/^[a-z_]+( |$)/ {print $1}')" -- "$word")
    fi
}
complete -o default -F _orrery orrery # files where nothing else fits
