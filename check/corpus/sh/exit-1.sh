# The status of its stop is that of a failure.
trap 'kill -KILL $!; exit 1' TERM INT
sleep 86400 &
wait $!
