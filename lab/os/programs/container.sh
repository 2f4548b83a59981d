# Stands for a container: a small tree of processes that knows which system it
# runs (in $root/run-system), starts after a moment and stops when it is told.
mkdir -p "$root"
system=${SYSTEM_PATH:-/nix/var/nix/profiles/per-container/$INSTANCE/system}
echo "$system" > "$root/run-system"
echo "container $INSTANCE runs $system"

trap 'kill $(jobs -p) 2>/dev/null; wait; exit 0' TERM
(exec -a "init of $INSTANCE" sleep infinity) &
(exec -a "service of $INSTANCE" sleep infinity) &
systemd-notify --ready
wait
