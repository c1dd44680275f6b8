#include "roles/data/watchers.h"

#include <gtest/gtest.h>

namespace muster::data {
namespace {

std::vector<std::string> names(const Watchers& watchers, const std::string& service) {
    std::vector<std::string> found;
    for (const SessionLink* link : watchers.of(service)) {
        found.push_back(link->node.raw());
    }
    return found;
}

TEST(Watchers, AreToldInTheOrderOfTheirNodes) {
    SessionLink one{.node = NodeId("s1")};
    SessionLink two{.node = NodeId("s2")};
    Watchers watchers;
    watchers.add("orders", two);
    watchers.add("orders", one);
    watchers.add("stock", two);
    EXPECT_EQ(names(watchers, "orders"), (std::vector<std::string>{"s1", "s2"}));
    EXPECT_EQ(names(watchers, "stock"), std::vector<std::string>{"s2"});
}

TEST(Watchers, AreForgottenOneByOne) {
    SessionLink one{.node = NodeId("s1")};
    SessionLink two{.node = NodeId("s2")};
    Watchers watchers;
    watchers.add("orders", one);
    watchers.add("orders", two);
    watchers.remove("orders", one);
    watchers.remove("orders", one);
    watchers.remove("stock", two);
    EXPECT_EQ(names(watchers, "orders"), std::vector<std::string>{"s2"});
    watchers.remove("orders", two);
    EXPECT_TRUE(watchers.of("orders").empty());
}

}  // namespace
}  // namespace muster::data
