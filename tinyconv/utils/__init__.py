"""What surrounds training: ``tinyconv.utils.data`` feeds it."""
