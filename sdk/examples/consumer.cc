// Prints the list of a service and picks from it, then every change until input ends.
//   consumer SERVICE [SERVERS]
#include <iostream>

#include <muster/muster.hpp>

int main(int argc, char** argv) {
    if (argc < 2) {
        std::cerr << "usage: " << argv[0] << " SERVICE [SERVERS]\n";
        return 2;
    }
    auto client = muster::sdk::Client::open({.servers = argc > 2 ? argv[2] : ""});
    if (!client) {
        std::cerr << client.error().to_string() << "\n";
        return 1;
    }
    // [subscribe]
    auto subscribed = client->subscribe_future({
        .service = argv[1],
        .on_list =
            [](const muster::sdk::List& list) {  // on the client's thread
                const auto us = (muster_now_ns() - list.received_ns()) / 1000;
                std::cout << list.service() << ": " << list.size() << " endpoints, told " << us
                          << " us after the bytes arrived" << std::endl;
            },
    });
    if (!subscribed) {
        std::cerr << subscribed.error().to_string() << "\n";
        return 1;
    }
    if (subscribed->first.wait_for(std::chrono::seconds(5)) != std::future_status::ready) {
        std::cerr << "no list within 5 s\n";
        return 1;
    }
    const muster::sdk::List list = subscribed->first.get();
    for (const auto& endpoint : list.endpoints()) {
        std::cout << "  " << endpoint.address() << " weight " << endpoint.weight << " zone "
                  << endpoint.zone << "\n";
    }
    // [subscribe]
    // [pick]
    auto call = subscribed->subscription.pick({.policy = MUSTER_LEAST_REQUESTS});
    if (call) {
        std::cout << "call " << (*call)->address() << " version " << call->metadata("version")
                  << std::endl;
    }  // the call is over when the object goes
    // [pick]
    std::cin.get();
    return client->close() ? 0 : 1;
}
