OF pair
