#include "wire/hessian/bean.h"

#include <limits>
#include <memory>

#include <gtest/gtest.h>

namespace muster::hessian {
namespace {

Value text(std::string_view utf8) {
    return Value{text_of(utf8)};
}

struct Field {
    std::string_view name;
    Value value;
};

Value object_of(std::vector<Field> fields) {
    ClassShape shape{.name = text_of("some.Bean")};
    Object object;
    for (Field& field : fields) {
        shape.fields.push_back(text_of(field.name));
        object.fields.push_back(std::move(field.value));
    }
    object.shape = std::make_shared<const ClassShape>(std::move(shape));
    return Value{std::move(object)};
}

Value map_of(std::vector<Field> fields) {
    Map map;
    for (Field& field : fields) {
        map.entries.push_back({text(field.name), std::move(field.value)});
    }
    return Value{std::move(map)};
}

std::int64_t number_in(Value value) {
    const Value tree = object_of({{"n", std::move(value)}});
    const RefIndex refs(tree);
    return Bean(refs, tree).number("n");
}

// A tree whose root is a list, read as beans that have their text in "data".
class Beans {
public:
    explicit Beans(std::vector<Value> items)
        : tree_(Value{List{.items = std::move(items)}}), refs_(tree_) {}

    Result<std::vector<std::string>> texts(std::size_t bytes) const {
        Budget budget(bytes, "texts");
        std::vector<std::string> found;
        MUSTER_TRY(append_texts(refs_, &tree_, "data", budget, found));
        return found;
    }
    // Not one byte less will do.
    void cost(std::size_t bytes) const {
        EXPECT_TRUE(texts(bytes).has_value());
        const auto less = texts(bytes - 1);
        ASSERT_FALSE(less.has_value());
        EXPECT_EQ(less.error(), (Error{Errc::too_large, "texts over the limit"}));
    }

private:
    Value tree_;
    RefIndex refs_;
};

TEST(HessianBean, IsAnObjectOrAMapFromNamesToValues) {
    for (const auto& make : {object_of, map_of}) {
        const Value tree = make({{"a", text("x")}, {"b", Value{std::int32_t{7}}}});
        const RefIndex refs(tree);
        const Bean bean(refs, tree);
        EXPECT_TRUE(bean.exists());
        EXPECT_EQ(bean.field_count(), 2U);
        EXPECT_EQ(bean.text("a"), "x");
        EXPECT_EQ(bean.number("b"), 7);
        EXPECT_EQ(bean.text("b"), "") << "a number";
        EXPECT_EQ(bean.number("a"), 0) << "a text";
        EXPECT_EQ(bean.find("c"), nullptr);
        EXPECT_EQ(bean.text("c"), "");
        EXPECT_EQ(bean.number("c"), 0);
    }
}

TEST(HessianBean, HasNoFieldsWhenItIsSomethingElse) {
    for (const Value& tree : {Value{}, text("x"), Value{List{}}, Value{std::int32_t{1}}}) {
        const RefIndex refs(tree);
        const Bean bean(refs, tree);
        EXPECT_FALSE(bean.exists());
        EXPECT_EQ(bean.field_count(), 0U);
        EXPECT_EQ(bean.find("a"), nullptr);
        EXPECT_EQ(bean.text("a"), "");
    }
}

TEST(HessianBean, TakesTheLastOfTwoKeysAsJavaDoes) {
    const Value tree = map_of({{"a", text("first")}, {"a", text("last")}});
    const RefIndex refs(tree);
    EXPECT_EQ(Bean(refs, tree).text("a"), "last");
}

TEST(HessianBean, FollowsReferences) {
    const Value tree = object_of({{"list", Value{List{}}}, {"same", Value{Ref{1}}}});
    const RefIndex refs(tree);
    const Bean bean(refs, tree);
    EXPECT_EQ(bean.find("same"), bean.find("list"));
}

TEST(HessianBean, ReadsNumbersOfAnyWidth) {
    EXPECT_EQ(number_in(Value{std::int64_t{1} << 40U}), std::int64_t{1} << 40U);
    EXPECT_EQ(number_in(Value{true}), 1);
    EXPECT_EQ(number_in(Value{false}), 0);
    EXPECT_EQ(number_in(Value{Double{-3.0}}), -3);
    for (const double inexact :
         {1e300, -1e300, std::numeric_limits<double>::quiet_NaN(), 9007199254740992.0}) {
        EXPECT_EQ(number_in(Value{Double{inexact}}), 0) << inexact;
    }
}

TEST(HessianBeans, GiveTheTextOfAFieldEach) {
    const Beans beans({object_of({{"data", text("a")}}), Value{}, map_of({{"data", text("b")}}),
                       object_of({{"other", text("c")}}), Value{Ref{1}}, text("d")});
    EXPECT_EQ(beans.texts(1000).value(), (std::vector<std::string>{"a", "b", "", "a"}));
}

TEST(HessianBeans, AreNoneInWhatIsNoList) {
    const Value tree = text("x");
    const RefIndex refs(tree);
    Budget budget(0, "texts");
    std::vector<std::string> found;
    EXPECT_TRUE(append_texts(refs, &tree, "data", budget, found).has_value());
    EXPECT_TRUE(append_texts(refs, nullptr, "data", budget, found).has_value());
    EXPECT_TRUE(found.empty());
}

TEST(HessianBeans, CostWhatIsCopiedAndSearchedAsOftenAsItIsReferredTo) {
    Beans({object_of({{"data", text("ten bytes.")}})}).cost(Budget::kPerString + 1 + 10);
    Beans({object_of({{"data", text("ten bytes.")}}), Value{Ref{1}}, Value{}, Value{Ref{1}}})
        .cost(3 * (Budget::kPerString + 1 + 10));
    Beans({map_of({{"a", Value{}}, {"b", Value{}}, {"c", Value{}}})}).cost(Budget::kPerString + 3);
}

TEST(HessianBudget, SpendsNothingWhenItIsTooMuch) {
    Budget budget(10, "it");
    EXPECT_TRUE(budget.spend(6).has_value());
    EXPECT_FALSE(budget.spend(5).has_value());
    EXPECT_TRUE(budget.spend(4).has_value());
    EXPECT_FALSE(budget.spend(std::numeric_limits<std::size_t>::max()).has_value());
}

}  // namespace
}  // namespace muster::hessian
