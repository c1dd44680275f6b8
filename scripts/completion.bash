# Completion for ./dev in bash: source scripts/completion.bash. That of the muster command comes from
# itself: source <(muster completion bash).
_muster_dev() {
    local word=${COMP_WORDS[COMP_CWORD]} root words=""
    root=$(dirname -- "${COMP_WORDS[0]}")
    if [[ $COMP_CWORD -eq 1 ]]; then
        words=$(sed -n 's/^verbs=(\(.*\))$/\1/p' "$root/dev" 2>/dev/null)
    else
        case ${COMP_WORDS[1]} in
            up) words="--once" ;;
            cluster)
                case $COMP_CWORD in
                    2) words="kill pause resume cut heal restart log status stop --metas --data"
                       words+=" --sessions --free-ports --folder" ;;
                    3) words=$("$root/dev" cluster status 2>/dev/null | awk 'NR > 1 { print $1 }') ;;
                esac
                ;;
            test) words=$(sed -n 's/^labels=(\(.*\))$/\1/p' "$root/dev" 2>/dev/null) ;;
            build)
                words=$(sed -n '/"buildPresets"/,$ s/.*"name": *"\([^"]*\)".*/\1/p' \
                    "$root/CMakePresets.json" 2>/dev/null)
                ;;
            sim) words="--cluster --full --deltas --once --from --seeds" ;;
            fuzz) [[ $COMP_CWORD -ne 2 ]] || words=$("$root/dev" fuzz 2>/dev/null) ;;
            bench) words="standalone push recovery capacity peers --json --tiny --sizes" ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _muster_dev ./dev dev
