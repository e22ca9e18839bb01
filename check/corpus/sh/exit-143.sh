# Says by its status which signal stopped it, as shells do.
trap 'kill -KILL $!; exit 143' TERM
trap 'kill -KILL $!; exit 130' INT
sleep 86400 &
wait $!
