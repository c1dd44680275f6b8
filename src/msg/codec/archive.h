#pragma once

#include <cstddef>
#include <type_traits>

// How the fields of a struct are described once for both directions:
//
//   template <class Ar>
//   void fields(Ar& ar, Of<Ar, FollowAck> it) {
//       auto& [data, items] = it;
//       ar(data, items);
//   }
//
// `ar(...)` are the fields of the struct's first release, in the order of the wire; `ar.added(...)`
// those of a later one, each at its end: an older writer leaves them out, and the reader keeps
// their default. An older reader does not see them, so what stands there is written in full and
// nothing refers to it. The structured binding makes a new field of the struct an error here.
namespace muster::msg::codec {

// The struct as the archive handles it: const for a writer.
template <class Ar, class T>
using Of = std::conditional_t<Ar::kReads, T&, const T&>;

// A string that one message is likely to repeat: written once, then referred to.
template <class T>
struct Name {
    T& text;
};

template <class T>
[[nodiscard]] Name<T> name(T& text) {
    return {text};
}

// A pointer that may be null. Others must not be: a writer checks, a reader refuses.
template <class T>
struct Nullable {
    T& pointer;
};

template <class T>
[[nodiscard]] Nullable<T> nullable(T& pointer) {
    return {pointer};
}

template <class T>
inline constexpr bool kIsWrapper = false;
template <class T>
inline constexpr bool kIsWrapper<Name<T>> = true;
template <class T>
inline constexpr bool kIsWrapper<Nullable<T>> = true;

// What fields() describes.
template <class T>
concept Struct = std::is_aggregate_v<T> && !kIsWrapper<T>;

// A struct whose layout is final: written without its length.
template <class T>
inline constexpr bool kFinal = false;

// The greatest value an enum may have; a missing one is a compile error.
template <class T>
struct LastOf;

// Strings of these lengths are entered into the table of names of a message, by both sides.
inline constexpr std::size_t kNameBytesMin = 2;
inline constexpr std::size_t kNameBytesMax = 1024;

}  // namespace muster::msg::codec
