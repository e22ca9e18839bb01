# Waits for its signal in wait, which a signal ends at once.
trap 'kill -KILL $!; exit 0' TERM INT
trap '' PIPE
sleep 86400 &
wait $!
