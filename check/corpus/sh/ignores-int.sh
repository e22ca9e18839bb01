trap 'kill -KILL $!; exit 0' TERM
trap '' INT
sleep 86400 &
wait $!
