#include "model/publication.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(Endpoint, ReadsWhatSofaClientsWrite) {
    const auto endpoint = Endpoint::parse("bolt://192.168.1.1:12200?_TIMEOUT=3000&weight=7&p=1");
    ASSERT_TRUE(endpoint.has_value());
    EXPECT_EQ(endpoint->scheme, "bolt");
    EXPECT_EQ(endpoint->ip, "192.168.1.1");
    EXPECT_EQ(endpoint->port, 12200);
    EXPECT_EQ(endpoint->weight, 7U);
    EXPECT_EQ(endpoint->metadata.at("_TIMEOUT"), "3000");
}

TEST(Endpoint, ComesBackFromItsBox) {
    Endpoint endpoint{.ip = "::1", .port = 80, .weight = 5, .enabled = false};
    endpoint.metadata = {{"color", "blue"}};
    EXPECT_EQ(endpoint.to_box(), "[::1]:80?weight=5&enabled=false&color=blue");
    EXPECT_EQ(Endpoint::parse(endpoint.to_box()), endpoint);
}

TEST(Endpoint, RefusesWhatHasNoHostOrPort) {
    for (const auto* box : {"", "10.0.0.1", ":80", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536",
                            "10.0.0.1:80x", "free text"}) {
        EXPECT_FALSE(Endpoint::parse(box).has_value()) << box;
    }
}

Publication shown() {
    Publication made;
    made.id = RegistId("p");
    made.zone = "a";
    made.app = "shop";
    made.boxes = {"10.0.0.1:80", "x"};
    made.attributes = {{"color", "blue"}};
    return made;
}

TEST(ShownDigest, IsOfWhatSubscribersSee) {
    Publication other = shown();
    other.order = {3, 4};
    other.client_address = "10.0.0.9:1";
    EXPECT_EQ(shown_digest_of(other), shown_digest_of(shown()));
}

TEST(ShownDigest, DiffersWithAllOfIt) {
    std::set<SetDigest> digests{shown_digest_of(shown())};
    const auto differs = [&](auto change) {
        Publication other = shown();
        change(other);
        EXPECT_TRUE(digests.insert(shown_digest_of(other)).second) << digests.size();
    };
    differs([](Publication& p) { p.id = RegistId("q"); });
    differs([](Publication& p) { p.zone = "b"; });
    differs([](Publication& p) { p.app = ""; });
    differs([](Publication& p) { p.app = "", p.zone = "ashop"; });
    differs([](Publication& p) { p.boxes = {}; });
    differs([](Publication& p) { p.boxes = {"x", "10.0.0.1:80"}; });
    differs([](Publication& p) { p.boxes = {"10.0.0.1:80x"}; });
    differs([](Publication& p) { p.boxes = {"10.0.0.1:80", "x", ""}; });
    differs([](Publication& p) { p.boxes = {"10.0.0.1:80", std::string(1000, 'x')}; });
    differs([](Publication& p) { p.attributes = {}; });
    differs([](Publication& p) { p.attributes = {{"colorb", "lue"}}; });
    differs([](Publication& p) { p.attributes = {{"color", "blue"}, {"", ""}}; });
}

// Nodes of other releases compare it.
TEST(ShownDigest, StaysWhatItIs) {
    const SetDigest digest = shown_digest_of(shown());
    EXPECT_EQ(digest.low, 6456210512707986184U);
    EXPECT_EQ(digest.high, 1603126812486862118U);
}

TEST(ServicePath, HasThreeForms) {
    EXPECT_EQ(parse_service_path("orders")->path(), "DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders");
    EXPECT_EQ(parse_service_path("shop/orders")->path(), "DEFAULT_INSTANCE_ID/shop/orders");
    EXPECT_EQ(parse_service_path("t/shop/a/b")->data_id, "a/b");
    EXPECT_EQ(parse_data_info_id("a#@#t#@#g")->data_info_id(), "a#@#t#@#g");
}

TEST(ServicePath, RefusesNamesThatCouldNotBeToldApart) {
    EXPECT_FALSE(Service::make("", "", " ").has_value());
    EXPECT_FALSE(Service::make("a#@#b", "", "x").has_value());
    EXPECT_FALSE(Service::make("", "", "a\nb").has_value());
    EXPECT_FALSE(Service::make("", "", std::string(2049, 'a')).has_value());
}

}  // namespace
}  // namespace muster
