#include "model/interned_text.h"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "model/service.h"

namespace muster {
namespace {

TEST(InternedText, OfEqualTextsIsOne) {
    const InternedText a("zone-of-this-test");
    const std::size_t count = InternedText::count();
    const InternedText b(std::string("zone-of-this-test"));
    EXPECT_EQ(a, b);
    EXPECT_EQ(a.view().data(), b.view().data());
    EXPECT_EQ(InternedText::count(), count);
    EXPECT_EQ(a, "zone-of-this-test");
    EXPECT_FALSE(a == InternedText("another"));
}

TEST(InternedText, EndsWithTheLastThatNamesIt) {
    const std::size_t before = InternedText::count();
    {
        InternedText a("short-lived");
        InternedText b = a;
        const InternedText c = std::move(a);
        b = InternedText();
        EXPECT_TRUE(b.empty());
        EXPECT_EQ(c, "short-lived");
        EXPECT_EQ(InternedText::count(), before + 1);
    }
    EXPECT_EQ(InternedText::count(), before);
}

TEST(InternedText, TakesNothingWhenEmpty) {
    const std::size_t before = InternedText::count();
    const InternedText none("");
    EXPECT_TRUE(none.empty());
    EXPECT_EQ(none, InternedText());
    EXPECT_EQ(none.size(), 0U);
    EXPECT_EQ(InternedText::count(), before);
}

TEST(InternedText, IsMadeAndForgottenByManyThreads) {
    const std::size_t before = InternedText::count();
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([] {
                for (int i = 0; i < 20'000; ++i) {
                    const std::string text = "text-" + std::to_string(i % 3);
                    const InternedText made(text);
                    const InternedText copy = made;
                    ASSERT_EQ(copy, text);
                }
            });
        }
    }
    EXPECT_EQ(InternedText::count(), before);
}

TEST(InternedService, IsOneAsLongAsSomebodyNamesIt) {
    const Service orders{.data_id = "orders-of-this-test"};
    const ServicePtr a = interned(orders);
    EXPECT_EQ(interned(orders), a);
    EXPECT_EQ(*a, orders);
    const std::weak_ptr<const Service> last = interned({.data_id = "short-lived"});
    EXPECT_TRUE(last.expired());
    EXPECT_EQ(interned({.data_id = "short-lived"})->data_id, "short-lived");
}

}  // namespace
}  // namespace muster
