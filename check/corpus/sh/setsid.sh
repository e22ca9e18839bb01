# Its helper has a session of its own, and nobody tells it of the stop.
setsid sleep 86400 &
trap 'kill -KILL $!; exit 0' TERM INT
sleep 86400 &
wait $!
