trap '' TERM
trap 'kill -KILL $!; exit 0' INT
sleep 86400 &
wait $!
