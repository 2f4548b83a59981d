# A stand-in for dhcpcd: configures the interface as the lab's lease file says,
# goes into the background, and takes the addresses away when it ends.
#
# LEASE_SECONDS    how long the answer takes
# TIMEOUT          after so many seconds it waits on in the background
# LOSE_AFTER       seconds after which the address is lost again, if set
# FAMILY           both, ipv4 or ipv6
# DENY_INTERFACES  interfaces it leaves alone, names and shell patterns
# PERSISTENT       set: the addresses stay when it ends
. /run/lab/lease 2>/dev/null

set -f
for pattern in $DENY_INTERFACES; do
    case $INTERFACE in $pattern) INTERFACE= ;; esac
done

want4() { [ -n "$INTERFACE" ] && [ "$FAMILY" != ipv6 ] && [ -n "$ADDRESS" ]; }
want6() { [ -n "$INTERFACE" ] && [ "$FAMILY" != ipv4 ] && [ -n "$ADDRESS6" ]; }

bind_address() {
    [ -z "$INTERFACE" ] || ip link set "$INTERFACE" up
    if want4; then
        ip address replace "$ADDRESS" dev "$INTERFACE"
        [ -z "$GATEWAY" ] || ip route replace default via "$GATEWAY" dev "$INTERFACE" proto dhcp
    fi
    if want6; then ip -6 address replace "$ADDRESS6" dev "$INTERFACE" nodad; fi
}

release_address() {
    if want4; then ip address delete "$ADDRESS" dev "$INTERFACE"; fi
    if want6; then ip -6 address delete "$ADDRESS6" dev "$INTERFACE"; fi
} 2>/dev/null

# Sleeps in a way that a signal ends.
pause() {
    sleep "$1" &
    wait $!
}

serve() {
    # systemd signals every process of the unit, and those that are new while it looks: not the one that
    # takes the address away, too.
    trap 'trap "" TERM; [ -n "$PERSISTENT" ] || release_address; kill $(jobs -p) 2>/dev/null; exit 0' TERM
    trap bind_address HUP
    if [ "$LEASE_SECONDS" -gt "$TIMEOUT" ]; then
        pause $((LEASE_SECONDS - TIMEOUT))
        bind_address
    fi
    if [ -n "$LOSE_AFTER" ]; then
        pause "$LOSE_AFTER"
        release_address
    fi
    while :; do pause infinity; done
}

if [ "$LEASE_SECONDS" -le "$TIMEOUT" ]; then
    sleep "$LEASE_SECONDS"
    bind_address
else
    sleep "$TIMEOUT"
fi
serve &
echo $! > /run/dhcpcd/pid
