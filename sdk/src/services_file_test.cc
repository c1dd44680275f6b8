#include "services_file.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "server_finder.h"

namespace muster::sdk_core {
namespace {

std::string mistake(const std::string& text) {
    const auto plan = parse_services(text, "s.yaml");
    return plan ? "no mistake" : plan.error().detail;
}

TEST(ServicesFile, ReadsTheExample) {
    std::ifstream in(MUSTER_SOURCE_ROOT "/sdk/examples/services.yaml");
    std::stringstream text;
    text << in.rdbuf();
    const auto plan = parse_services(text.str(), "services.yaml");
    ASSERT_TRUE(plan) << plan.error().detail;
    EXPECT_EQ(plan->settings.servers, "127.0.0.1:9600");
    EXPECT_EQ(plan->settings.role.zone, "a");
    ASSERT_EQ(plan->wishes.registrations.size(), 2U);
    EXPECT_EQ(plan->wishes.registrations[0].boxes.at(0),
              "127.0.0.1:8081?weight=50&colour=blue&version=1.2");
    EXPECT_EQ(plan->wishes.registrations[1].service.group, "payments");
    ASSERT_EQ(plan->wishes.subscriptions.size(), 2U);
    EXPECT_EQ(plan->wishes.subscriptions[1].scope, Scope::zone);
}

TEST(ServicesFile, NamesTheLineAndTheNearestRightKey) {
    EXPECT_EQ(mistake("app: x\nregistr: []\n"),
              "s.yaml:2: unknown key 'registr'; did you mean 'register'?");
    EXPECT_EQ(mistake("register:\n  - service: a\n    adress: 1.2.3.4:5\n"),
              "s.yaml:3: unknown key 'register.adress'; did you mean 'address'?");
    EXPECT_EQ(mistake("subscribe:\n  - service: a\n    scoop: zone\n"),
              "s.yaml:3: unknown key 'subscribe.scoop'; did you mean 'scope'?");
}

TEST(ServicesFile, SaysWhatWasExpected) {
    EXPECT_EQ(mistake("register:\n  - service: a\n    address: somewhere\n"),
              "s.yaml:3: register.address: expected ip:port such as 10.0.0.7:8080, got "
              "'somewhere'");
    EXPECT_EQ(mistake("register:\n  - address: 1.2.3.4:5\n"),
              "s.yaml:2: register.service: expected a name such as orders");
    EXPECT_EQ(mistake("register:\n  - service: a\n    address: 1.2.3.4:5\n    weight: -1\n"),
              "s.yaml:4: register.weight: expected 0 to 1000000, got '-1'");
    EXPECT_EQ(mistake("subscribe:\n  - service: a\n    scope: world\n"),
              "s.yaml:3: subscribe.scope: expected zone, dataCenter or global, got 'world'");
    EXPECT_EQ(mistake("register: 5\n"), "s.yaml:1: register: expected a list ('- service: ...')");
    EXPECT_EQ(mistake("app: a\napp: b\n"), "s.yaml:2: app: given before, in line 1");
    EXPECT_EQ(mistake("register:\n  - service: a\n"),
              "s.yaml:2: register: expected either 'address: ip:port' or boxes");
    EXPECT_TRUE(mistake("app: [\n").starts_with("s.yaml:")) << mistake("app: [\n");
    EXPECT_EQ(mistake(""), "no mistake");
}

TEST(ServicesFile, NamesTheFileThatIsMissing) {
    const auto plan = read_services_file("/nonexistent/services.yaml");
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().detail,
              "services file /nonexistent/services.yaml: No such file or directory");
}

TEST(ServerFinder, TellsAddressesFromNamesAndHttpPorts) {
    const auto finder = ServerFinder::parse("127.0.0.1:9600, [::1]:9600,host:1,http://host:9603/x");
    ASSERT_TRUE(finder);
    EXPECT_EQ(finder->known(), (std::vector<std::string>{"127.0.0.1:9600", "[::1]:9600"}));
    ASSERT_EQ(finder->places().size(), 2U);
    EXPECT_FALSE(finder->places()[0].ask_http);
    EXPECT_TRUE(finder->places()[1].ask_http);
    EXPECT_EQ(finder->places()[1].port, "9603");
}

TEST(ServerFinder, RefusesWhatIsNoServer) {
    for (const std::string text : {"", "host", "host:", ":9600", "host:x", "http://host", ",,"}) {
        const auto finder = ServerFinder::parse(text);
        ASSERT_FALSE(finder) << text;
        EXPECT_EQ(finder.error().status, MUSTER_INVALID_ARGUMENT);
    }
}

TEST(PublicationOf, RefusesWhatCannotBePublished) {
    const auto message = [](auto change) {
        muster_endpoint_spec spec;
        muster_endpoint_spec_init(&spec);
        spec.service = "orders";
        spec.ip = "10.0.0.7";
        spec.port = 80;
        change(spec);
        const auto publication = publication_of(spec);
        return publication ? publication->boxes.at(0) : publication.error().message;
    };
    EXPECT_EQ(message([](auto&) {}), "10.0.0.7:80");
    EXPECT_EQ(message([](auto& spec) { spec.port = 0; }),
              "port is 0; an endpoint needs one of 1 to 65535");
    EXPECT_EQ(message([](auto& spec) { spec.ip = "a b"; }), "ip 'a b' is no address");
    EXPECT_EQ(message([](auto& spec) { spec.weight = 1'000'001; }), "weight is over 1000000");
    EXPECT_EQ(message([](auto& spec) { spec.service = nullptr; }), "no service was named");
    const muster_pair bad{"a=b", "c"};
    EXPECT_NE(message([&](auto& spec) {
                  spec.metadata = &bad;
                  spec.metadata_count = 1;
              }).find("cannot be published"),
              std::string::npos);
}

}  // namespace
}  // namespace muster::sdk_core
