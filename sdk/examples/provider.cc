// Registers one endpoint and stays until Enter is pressed or input ends.
//   provider SERVICE IP PORT [SERVERS]
#include <cstdlib>
#include <iostream>
#include <string>

#include <muster/muster.hpp>

int main(int argc, char** argv) {
    if (argc < 4) {
        std::cerr << "usage: " << argv[0] << " SERVICE IP PORT [SERVERS]\n";
        return 2;
    }
    // [register]
    auto client = muster::sdk::Client::open({.servers = argc > 4 ? argv[4] : "", .app = "example"});
    if (!client) {
        std::cerr << client.error().to_string() << "\n";
        return 1;
    }
    muster::sdk::EndpointSpec spec{.service = argv[1], .ip = argv[2]};
    spec.port = static_cast<std::uint16_t>(std::atoi(argv[3]));
    spec.weight = 50;
    spec.metadata = {{"version", "1.2"}};
    auto registration = client->register_endpoint(spec);
    if (!registration) {
        std::cerr << registration.error().to_string() << "\n";
        return 1;
    }
    if (auto answer = registration->await(std::chrono::seconds(5)); !answer) {
        std::cerr << "not registered yet: " << answer.error().to_string() << "\n";
    }
    // [register]
    std::cout << "registered " << argv[1] << std::endl;
    std::cin.get();

    // [drain]
    // Nobody is given the address any more when this returns; calls under way may still be ended.
    const std::string address = std::string(argv[2]) + ":" + argv[3];
    if (auto drained = client->drain(argv[1], address, std::chrono::seconds(10)); !drained) {
        std::cerr << "some may still call: " << drained.error().to_string() << "\n";
    }
    // [drain]

    // The registration did not end with any object; this is the polite way to leave.
    // [close]
    auto closed = client->close();
    // [close]
    return closed ? 0 : 1;
}
