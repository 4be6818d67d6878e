MODIFY v double(10,2)
