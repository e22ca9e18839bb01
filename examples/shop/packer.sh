# packer packs orders, one after another: each line of the pipe is one. At SIGTERM it finishes the one in its hands, and
# what is in the pipe already. While nobody orders it sleeps.
[ -p orders ] || mkfifo orders || exit
exec 3<>orders

leaving=
trap 'leaving=yes; echo >&3' TERM # the empty line wakes it; it comes after all orders

echo waiting for orders
while read -r order <&3; do
	if [ -z "$order" ]; then
		[ -z "$leaving" ] || break
		continue
	fi
	echo "packing $order"
	sleep 0.2
	echo "packed $order"
done
echo the floor is swept
