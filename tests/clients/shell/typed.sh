# Does what a person does who follows a client setup, and checks the result. To be sourced.

# Types the setup of one place for one client, and then a command, into a shell with only TYPED_WITH in its
# environment.
typed() {
    local place=$1 client=$2 command=${3:-} question="$RASTERD_SETUPS/$1/The key as a variable"
    {
        # A place that can't show the key asks for it first.
        if [ -e "$question" ]; then cat "$question"; fi
        printf '\n%s\n%s\n' "$(cat "$RASTERD_SETUPS/$place/$client")" "$command"
    } >typed
    env -i PATH="$PATH" HOME="$HOME" ${TYPED_WITH:-} bash -eu typed <<<"$RASTERD_API_KEY"
}

# Fails with a reason when a text is not in an answer.
has() {
    grep -q -- "$1" <<<"$2" || { echo "no $1 in: $2"; exit 1; }
}
