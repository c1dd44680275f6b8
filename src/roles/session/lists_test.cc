#include "roles/session/lists.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::session {
namespace {

using std::chrono::seconds;

ServicePtr service(const std::string& name) {
    return std::make_shared<const Service>(Service{.data_id = name});
}

ListKey key(std::uint64_t conn, const char* zone = "a") {
    return {.conn = env::ConnId(conn), .scope = Scope::zone, .zone = zone};
}

class ListsTest : public ::testing::Test {
protected:
    Lists::Added add(std::uint64_t conn, const std::string& id, const ServicePtr& of,
                     const char* zone = "a") {
        return lists.add(of, key(conn, zone), RegistId(id), {.version = 1});
    }
    ServicePtr remove(std::uint64_t conn, const std::string& id) {
        return lists.remove(env::ConnId(conn), id);
    }

    const ServicePtr orders = service("orders");
    const ServicePtr bills = service("bills");
    Lists lists;
};

TEST_F(ListsTest, FindASubscriptionByItsConnectionAndId) {
    EXPECT_TRUE(add(1, "a", orders).is_new_list);
    EXPECT_TRUE(add(2, "a", bills).is_new_list);
    const auto found = lists.find(env::ConnId(1), "a");
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->place.of->service, orders);
    EXPECT_EQ(found->place.key(), key(1));
    EXPECT_FALSE(lists.find(env::ConnId(1), "b").has_value());
    EXPECT_FALSE(lists.find(env::ConnId(3), "a").has_value());
    EXPECT_EQ(lists.size(), 2U);
}

TEST_F(ListsTest, ShareAListAmongSubscribersOfOneConnection) {
    EXPECT_TRUE(add(1, "a", orders).is_new_list);
    const auto second = add(1, "b", orders);
    EXPECT_FALSE(second.is_new_list);
    EXPECT_TRUE(second.is_new_id);
    EXPECT_FALSE(add(1, "b", orders).is_new_id);
    EXPECT_TRUE(add(1, "c", orders, "other").is_new_list);
    EXPECT_EQ(second.place.list().ids(), (std::vector<std::string_view>{"a", "b"}));
    EXPECT_EQ(lists.size(), 3U);
    EXPECT_EQ(lists.count_of(env::ConnId(1)), 3U);

    EXPECT_EQ(remove(1, "a"), nullptr);
    EXPECT_EQ(second.place.list().ids(), std::vector<std::string_view>{"b"});
    EXPECT_EQ(second.place.list().detail, nullptr) << "one subscriber is usual";
    EXPECT_TRUE(lists.find(env::ConnId(1), "b").has_value());
    EXPECT_EQ(remove(1, "b"), nullptr);
    EXPECT_EQ(remove(1, "c"), orders);
    EXPECT_EQ(remove(1, "c"), nullptr);
    EXPECT_EQ(lists.of(*orders), nullptr);
    EXPECT_EQ(lists.size(), 0U);
}

TEST_F(ListsTest, TellThoseTimedInTheirOrder) {
    ListDetail& first = lists.detail(add(1, "a", orders).place);
    ListDetail& second = lists.detail(add(2, "a", orders).place);
    EXPECT_EQ(lists.first_timed(), nullptr);
    lists.time(first, MonoTime(seconds(1)));
    lists.time(second, MonoTime(seconds(2)));
    EXPECT_EQ(lists.first_timed(), &first);
    lists.time(first, MonoTime(seconds(3)));
    EXPECT_EQ(lists.first_timed(), &second);
    lists.untime(second);
    EXPECT_EQ(lists.first_timed(), &first);
    EXPECT_EQ(remove(1, "a"), nullptr);
    EXPECT_EQ(lists.first_timed(), nullptr);
}

// Whatever comes and goes, both ways to a subscription lead to the same.
TEST_F(ListsTest, StayTheSameFromBothSides) {
    Prng prng(7);
    std::map<std::pair<std::uint64_t, std::string>, std::string> model;  // the service's data id
    for (int i = 0; i < 50'000; ++i) {
        const std::uint64_t conn = prng.below(20);
        const std::string id = "subscription-with-a-long-id-" + std::to_string(prng.below(30));
        const auto known = model.find({conn, id});
        if (known == model.end()) {
            const ServicePtr& of = prng.below(2) == 0 ? orders : bills;
            add(conn, id, of, prng.below(2) == 0 ? "a" : "b");
            model[{conn, id}] = of->data_id;
        } else if (prng.below(3) > 0) {
            const ServicePtr left = remove(conn, id);
            model.erase(known);
            EXPECT_EQ(left != nullptr && lists.of(*left) != nullptr, false);
        }
        ASSERT_EQ(lists.size(), model.size());
    }
    std::size_t listed = 0;
    for (const ServicePtr& of : {orders, bills}) {
        const ListsOfService* all = lists.of(*of);
        for (const auto& [list_key, list] : all->lists) {
            for (const std::string_view id : list.ids()) {
                ++listed;
                EXPECT_EQ((model.at({list_key.conn.raw(), std::string(id)})), of->data_id);
                EXPECT_EQ(&lists.find(list_key.conn, std::string(id))->place.list(), &list);
            }
        }
    }
    EXPECT_EQ(listed, model.size());
}

}  // namespace
}  // namespace muster::session
